/** What the folder `draw` says. */
export const draw = {
  title: "draw",
};
