import { t } from "./strings.ts";
import { percent } from "./time.ts";
import type { Compliance } from "./types.ts";

/** The share of people who wear a mask properly, never without the number that it rests on. */
export function complianceText({ rate, counted }: Compliance): string {
  if (rate !== null) return t.compliance(percent(rate), counted);
  return counted === 0 ? t.complianceNobody : t.compliancePartial;
}
