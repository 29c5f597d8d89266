/** What the folder `read` says. */
export const read = {
  title: "read",
};
