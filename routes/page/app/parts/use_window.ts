/**
 * Which rows of a long list are seen, so that only those are in the document.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";

/** Rows beyond the seen ones that are there already. */
const BEYOND = 10;

/** Rows `[first, end)`. */
export interface RowWindow {
  readonly first: number;
  readonly end: number;
}

/** The rows that are seen at a place of the scroll bar, and some more. */
export function windowAt(top: number, height: number, row: number, count: number): RowWindow {
  const first = Math.max(0, Math.min(count, Math.floor(top / row)) - BEYOND);
  return { first, end: Math.min(count, Math.ceil((top + height) / row) + BEYOND) };
}

/**
 * Watches an element that scrolls.
 *
 * @param count Rows in all.
 * @param row Height of each in pixels.
 */
export function useWindow<E extends HTMLElement>(count: number, row: number) {
  const element = useRef<E>(null);
  const [place, setPlace] = useState({ top: 0, height: 600 });
  const look = () => {
    const { scrollTop: top = 0, clientHeight: height = 0 } = element.current ?? {};
    setPlace((before) => before.top === top && before.height === height ? before : { top, height });
  };
  useEffect(() => {
    const { current } = element;
    if (!current) return;
    const observer = new ResizeObserver(look);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return { element, onScroll: look, ...windowAt(place.top, place.height, row, count) };
}
