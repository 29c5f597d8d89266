/** What the folder `system` says. */
export const system = {
  title: "system",
};
