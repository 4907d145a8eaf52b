/** Keep the room as tall as what can be seen, so that a phone's keyboard never hides the composer. */
export function fitToKeyboard(root: HTMLElement): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const fit = (): void => root.style.setProperty("--room-height", `${String(viewport.height)}px`);
  viewport.addEventListener("resize", fit);
  fit();
}
