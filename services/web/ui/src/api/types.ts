/** The words of the API, as `schema.ts` has them from its description, by the names that the page uses. */
import type { CameraAnswer, CameraStatus, CrossingAnswer, LineAnswer, SystemAnswer, UserRole } from "./schema.ts";

export type Camera = CameraAnswer;
export type Status = CameraStatus;
export type Point = [number, number];
/** Points are lists of two numbers; the description has no form for that which its readers know. */
export type Line = Omit<LineAnswer, "points"> & { points: Point[]; forward_name?: string | null; backward_name?: string | null };
export type Anchor = Line["anchor"];
export type Crossing = CrossingAnswer;
export type Direction = Crossing["direction"];
export type Role = UserRole;
export type System = SystemAnswer;
export interface Size { width: number; height: number }
