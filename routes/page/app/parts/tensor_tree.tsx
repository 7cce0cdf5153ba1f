/**
 * The tensors of a checkpoint as a tree by layer, of any size: only the rows that are seen are in the document.
 *
 * @module
 */
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import type { OutlinedTensor } from "../sources/named_source.ts";
import { countOf, formatBytes } from "./format_bytes.ts";
import { shapeText } from "./tensor_bytes.ts";
import { tensorBranches, type TreeRow, treeRows } from "./tensor_branches.ts";
import { useWindow } from "./use_window.ts";

/** What the tree shows. */
export interface TensorTreeProps {
  readonly label: string;
  readonly tensors: readonly OutlinedTensor[];
}

/** Height of a row in pixels, as in the style sheet. */
const ROW = 28;
/** A tree of so few tensors is shown open. */
const FEW = 12;

/** The tree; arrows move in it, right opens and left closes. */
export function TensorTree({ label, tensors }: TensorTreeProps) {
  const branches = useMemo(() => tensorBranches(tensors), [tensors]);
  const [open, setOpen] = useState<ReadonlySet<string>>(() =>
    new Set(tensors.length <= FEW ? branches.map(({ path }) => path) : [])
  );
  const [active, setActive] = useState(0);
  const rows = useMemo(() => treeRows(branches, open), [branches, open]);
  const { element, onScroll, first, end } = useWindow<HTMLDivElement>(rows.length, ROW);
  const id = useId();
  useEffect(() => setActive((before) => Math.min(before, rows.length - 1)), [rows.length]);

  const toggle = ({ branch }: TreeRow, isOpen = !open.has(branch.path)) => {
    if (branch.tensor) return;
    setOpen((before) => {
      const next = new Set(before);
      if (isOpen) next.add(branch.path);
      else next.delete(branch.path);
      return next;
    });
  };
  const go = (to: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    setActive(index);
    const box = element.current;
    if (!box) return;
    if (index * ROW < box.scrollTop) box.scrollTop = index * ROW;
    const below = (index + 1) * ROW - box.clientHeight;
    if (below > box.scrollTop) box.scrollTop = below;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active];
    if (!row) return;
    const isOpen = open.has(row.branch.path);
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(active + 1),
      ArrowUp: () => go(active - 1),
      PageDown: () => go(active + 10),
      PageUp: () => go(active - 10),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => isOpen ? go(active + 1) : toggle(row, true),
      ArrowLeft: () => {
        if (isOpen) return toggle(row, false);
        const above = rows.slice(0, active).findLastIndex(({ level }) => level < row.level);
        if (above >= 0) go(above);
      },
      Enter: () => toggle(row),
      " ": () => toggle(row),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };
  return (
    <div
      class="tree"
      role="tree"
      aria-label={label}
      tabIndex={0}
      ref={element}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      aria-activedescendant={rows.length > 0 ? `${id}-${active}` : undefined}
    >
      <div role="presentation" class="body" style={{ height: `${rows.length * ROW}px` }}>
        <div role="presentation" class="seen" style={{ top: `${first * ROW}px` }}>
          {rows.slice(first, end).map((row, i) => (
            <Row
              key={row.branch.path + row.level}
              row={row}
              id={`${id}-${first + i}`}
              isActive={first + i === active}
              isOpen={open.has(row.branch.path)}
              onClick={() => {
                setActive(first + i);
                toggle(row);
              }}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: TreeRow;
  readonly id: string;
  readonly isActive: boolean;
  readonly isOpen: boolean;
  onClick(): void;
}

function Row({ row, id, isActive, isOpen, onClick }: RowProps) {
  const { branch, level, place, siblings } = row;
  const { tensor, title, tensors, bytes } = branch;
  return (
    <div
      id={id}
      role="treeitem"
      class={isActive ? "row active" : "row"}
      aria-level={level}
      aria-posinset={place}
      aria-setsize={siblings}
      aria-selected={isActive}
      aria-expanded={tensor ? undefined : isOpen}
      style={{ paddingInlineStart: `${level * 1.1 - 0.6}rem` }}
      onClick={onClick}
    >
      <span class="mark" aria-hidden="true">{tensor ? "" : isOpen ? "▾" : "▸"}</span>
      <span class="mono title">{title}</span>
      {tensor
        ? <span class="quiet mono">{tensor.dtype} {shapeText(tensor.shape)}</span>
        : <span class="quiet">{countOf(tensors, "tensor")}</span>}
      <span class="quiet numbers">{formatBytes(bytes)}</span>
    </div>
  );
}
