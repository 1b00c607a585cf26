import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

export interface Rows {
  list: Virtualizer<HTMLElement, HTMLElement>;
  measure: (row: HTMLElement | null, isOpen: boolean) => void;
}

const FIRST_GUESS = 52; // pixels of a closed row, until one has been measured

/** Only the rows in view are in the document; their heights are measured, because an opened row is tall. */
export function useVirtualRows(scroller: RefObject<HTMLElement | null>, count: number, keyOf: (index: number) => number): Rows {
  const [, redraw] = useReducer((number: number) => number + 1, 0);
  const closedHeight = useRef(FIRST_GUESS);
  const options = {
    count,
    getItemKey: keyOf,
    getScrollElement: () => scroller.current,
    estimateSize: () => closedHeight.current,
    overscan: 8,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw(undefined),
  };
  const [list] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  list.setOptions(options);
  useLayoutEffect(() => list._didMount(), [list]);
  useLayoutEffect(() => list._willUpdate());
  return {
    list,
    // A guess that is right saves drawing the list a second time with the measured heights.
    measure: (row, isOpen) => {
      list.measureElement(row);
      if (row && !isOpen) closedHeight.current = row.offsetHeight;
    },
  };
}
