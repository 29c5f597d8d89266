/** Colours of parts of bars: told apart in light and dark. The canvas needs them as they are. */
const PALETTE = ["#2f7ed8", "#e07b29", "#14a089", "#b05fd3", "#c9a20e", "#d6487e", "#6b8e23", "#5a6ee0", "#8a6d5a", "#3aa0c9"] as const;

/** A colour for the n-th of some parts. */
export const partColor = (index: number): string => PALETTE[index % PALETTE.length] ?? PALETTE[0];

/** A colour of the style sheet, as it is now in light or dark. */
export function cssColor(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
