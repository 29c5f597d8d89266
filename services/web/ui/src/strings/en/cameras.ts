/** What the folder `cameras` says. */
export const cameras = {
  title: "cameras",
};
