/**
 * Light or dark: what the system says, unless the visitor says otherwise.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";

const THEMES = ["system", "light", "dark"] as const;
type Theme = typeof THEMES[number];

const TITLES: Readonly<Record<Theme, string>> = {
  system: "As the system",
  light: "Light",
  dark: "Dark",
};
const KEY = "amalgam-theme";

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? "system";
  } catch {
    // Storage may be switched off.
    return "system";
  }
}

function storeTheme(theme: Theme): void {
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is closed, then.
  }
}

/** The choice of the theme. */
export function ThemeChoice() {
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  return (
    <label class="theme">
      <span>Theme</span>
      <select
        value={theme}
        onChange={(event) => {
          const next = THEMES.find((each) => each === event.currentTarget.value) ?? "system";
          storeTheme(next);
          setTheme(next);
        }}
      >
        {THEMES.map((each) => <option key={each} value={each}>{TITLES[each]}</option>)}
      </select>
    </label>
  );
}
