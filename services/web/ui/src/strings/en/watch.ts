/** What the folder `watch` says. */
export const watch = {
  title: "Cameras",
  pictureOf: (name: string) => `Live picture of ${name}`,
  since: (time: string, span: string) => `since ${time} (${span})`,
  why: {
    away: "Sightline does not answer",
    offline: "This device has no network",
    disabled: "This camera is switched off",
    connecting: "Connecting to the camera",
    degraded: "The camera gives no picture",
    missing: "No picture can be shown now",
    waiting: "Waiting for the first picture",
    stopped: "The picture stands still",
  },
  whyNext: {
    away: "This page keeps trying, and shows the picture as soon as it can.",
    disabled: "Nothing is counted while it is off. Switch it on to count again.",
    connecting: "This takes a few seconds.",
    degraded: "Sightline keeps trying. The time until it is back is marked as not counted.",
    missing: "Sightline keeps trying.",
    waiting: "It comes in a moment.",
    stopped: "What you see is the last picture that came. The next one is asked for.",
  },
};
