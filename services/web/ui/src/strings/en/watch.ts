/** What the folder `watch` says. */
export const watch = {
  title: "watch",
};
