/**
 * The page's entry: puts the application into the document.
 *
 * @module
 */
import { render } from "preact";
import { App } from "./app.tsx";
import { SessionProvider } from "./session.tsx";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(
    <SessionProvider>
      <App />
    </SessionProvider>,
    root,
  );
}
