/**
 * A picture of the page as a file of its own: styles are written into it.
 *
 * @module
 */

const NAMESPACE = "http://www.w3.org/2000/svg";
/** The properties that a picture's look stands on. */
const LOOK = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-opacity",
  "stroke-linejoin",
  "opacity",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];

/** The picture as the page shows it, on the page's ground. */
export function standaloneSvg(shown: SVGSVGElement, title: string): string {
  const copy = shown.cloneNode(true) as SVGSVGElement;
  const from = [...shown.querySelectorAll("*")];
  const to = [...copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const look = getComputedStyle(element);
    const target = to[i]!;
    for (const name of LOOK) target.setAttribute(name, look.getPropertyValue(name));
    target.removeAttribute("style");
    target.removeAttribute("class");
  });
  from.forEach((element, i) => {
    if (element.classList.contains("ring")) to[i]!.remove();
  });
  const ground = document.createElementNS(NAMESPACE, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.documentElement).backgroundColor);
  const name = document.createElementNS(NAMESPACE, "title");
  name.textContent = title;
  copy.prepend(name, ground);
  copy.removeAttribute("class");
  copy.removeAttribute("aria-hidden");
  copy.setAttribute("xmlns", NAMESPACE);
  copy.setAttribute("role", "img");
  return new XMLSerializer().serializeToString(copy);
}
