/** The words of the API, as `schema.ts` has them from its description, by the names that the page uses. */
import type {
  AuditPage, CameraAnswer, CameraStatus, ComplianceRate, CountsAnswer, CountsBucket, CrossingAnswer,
  DirectedCounts, GapAnswer, LineAnswer, PendingRetention, SessionAnswer, Size, SystemAnswer, TokenAnswer, UserAnswer,
  UserRole,
} from "./schema.ts";

export type { AuditPage, Size };
export type AuditEntry = AuditPage["items"][number];
export type Bucket = CountsBucket;
export type ByClass = DirectedCounts["forward"];
export type Camera = CameraAnswer;
/** Share of people who wear a mask over mouth and nose; null where none can be told. */
export type Compliance = ComplianceRate;
export type Counts = CountsAnswer;
export type Crossing = CrossingAnswer;
export type Direction = Crossing["direction"];
export type Gap = GapAnswer;
/** Points are lists of two numbers; the description has no form for that which its readers know. */
export type Line = Omit<LineAnswer, "points"> & { points: Point[] };
export type Anchor = Line["anchor"];
export type Point = [number, number];
export type Role = UserRole;
export type Session = SessionAnswer;
export type ShorterRetention = PendingRetention;
export type Status = CameraStatus;
export type SystemInfo = SystemAnswer;
export type Token = TokenAnswer;
export type User = UserAnswer;

/** A line in the hands of a person: a new one (no id yet) or a copy of a stored one. */
type DirectionNames = Pick<Line, "forward_name" | "backward_name">;
export type Draft = Omit<Line, "id" | "version" | keyof DirectionNames> & Partial<DirectionNames> & { id: string | null };
