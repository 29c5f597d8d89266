import type { Strings } from "../en/index.ts";

export const watch: Strings["watch"] = {
  title: "Kameras",
  pictureOf: (name) => `Live-Bild von ${name}`,
  since: (time, span) => `seit ${time} (${span})`,
  why: {
    away: "Sightline antwortet nicht",
    offline: "Dieses Gerät hat kein Netz",
    disabled: "Diese Kamera ist ausgeschaltet",
    connecting: "Die Kamera wird verbunden",
    degraded: "Die Kamera liefert kein Bild",
    missing: "Gerade kann kein Bild gezeigt werden",
    waiting: "Das erste Bild wird erwartet",
    stopped: "Das Bild steht still",
  },
  whyNext: {
    away: "Diese Seite versucht es weiter und zeigt das Bild, sobald sie kann.",
    disabled: "Solange sie aus ist, wird nichts gezählt. Schalten Sie sie ein, um wieder zu zählen.",
    connecting: "Das dauert ein paar Sekunden.",
    degraded: "Sightline versucht es weiter. Die Zeit bis dahin wird als nicht gezählt vermerkt.",
    missing: "Sightline versucht es weiter.",
    waiting: "Es kommt gleich.",
    stopped: "Sie sehen das letzte Bild, das ankam. Das nächste ist angefragt.",
  },
};
