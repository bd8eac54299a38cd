// Live parts of pages: Preact with templates instead of a build. Everything that they need is
// imported from here, so that one place knows where the libraries lie.

import htm from "../vendor/htm.js";
import { h } from "../vendor/preact.js";

export { Component, Fragment, createContext, createRef, h, render } from "../vendor/preact.js";
export {
  useCallback,
  useContext,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "../vendor/hooks.js";

/** html`<p class=${name}>${text}</p>`: text is escaped, as it is never parsed as HTML. */
export const html = htm.bind(h);
