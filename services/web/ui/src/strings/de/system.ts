import type { Strings } from "../en/index.ts";

export const system: Strings["system"] = {
  title: "System",
  kinds: { crossings: "Durchgänge", trajectories: "Wege", minutes: "Zählungen je Minute", statuses: "Kamerazustände", audit: "Protokolleinträge" },
  olderThan: (count, kind, days) => `${count} ${kind}, die älter als ${days} Tage sind`,
  retentionNotice: (records, time) =>
    `Die Einstellungen bewahren Daten kürzer auf: ${records}, werden ${time ? `in ${time}` : "jetzt"} gelöscht.`,
  retentionNow: "Jetzt löschen…",
  retentionTitle: "Löschen, was die Einstellungen nicht mehr aufbewahren?",
  retentionText: (records) => `${records}, werden endgültig gelöscht.`,
  clockNotice: (shows, aside) =>
    `Die Uhr des Speichers ist gesprungen und zeigt ${shows}: Bis das geklärt ist, wird nichts gelöscht${aside > 0 ? `, und ${aside} vordatierte Ereignisse sind zurückgelegt` : ""}.`,
  clockRight: "Die Uhr stimmt",
  notStored: "Der Datenträger ist fast voll: Nicht alles wird gespeichert. Schaffen Sie Platz, oder bewahren Sie Daten kürzer auf.",
};
