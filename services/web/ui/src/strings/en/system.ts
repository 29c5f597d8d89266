/** What the folder `system` says. */
export const system = {
  title: "System",
  kinds: { crossings: "crossings", trajectories: "paths", minutes: "counts by the minute", statuses: "camera states", audit: "audit entries" } as Record<string, string>,
  olderThan: (count: string, kind: string, days: number) => `${count} ${kind} older than ${days} days`,
  retentionNotice: (records: string, time: string | null) =>
    `The settings keep records for a shorter time: ${records} will be deleted ${time ? `in ${time}` : "now"}.`,
  retentionNow: "Delete now…",
  retentionTitle: "Delete what the settings keep no more?",
  retentionText: (records: string) => `${records} are deleted for good.`,
  clockNotice: (shows: string, aside: number) =>
    `The clock of the store has jumped and shows ${shows}: nothing is deleted until that is right${aside > 0 ? `, and ${aside} events that it dated ahead are set aside` : ""}.`,
  clockRight: "The clock is right",
  notStored: "The disk is nearly full: not everything is stored. Make room, or keep records for a shorter time.",
};
