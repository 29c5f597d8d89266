/** The words of the API, as the page uses them. */
export type Status = "connecting" | "live" | "degraded" | "disabled";
export type Anchor = "centre" | "foot";
export type Direction = "forward" | "backward";
export type Point = [number, number];
export interface Size { width: number; height: number }

export interface Camera {
  id: string;
  name: string;
  url: string;
  model: string | null;
  enabled: boolean;
  fps: number | null;
  status: Status;
  since: string | null;
  resolution: Size | null;
  lastError: string | null;
}

/** What a person may change of a camera. */
export interface CameraInput {
  name: string;
  url: string;
  model?: string;
  fps?: number;
}

export interface Line {
  id: string;
  name: string;
  points: Point[];
  anchor: Anchor;
  classes: string[] | null;
  color: string;
}

/** A line in the hands of a person: a new one (no id yet) or a copy of a stored one. */
export type Draft = Omit<Line, "id"> & { id: string | null };

export type ByClass = Record<string, number>;

/** Share of people who wear a mask over mouth and nose; null where none can be told. */
export interface Compliance { rate: number | null; counted: number }

export interface Bucket {
  start: string;
  /** Analysed share of the bucket; null when it has not begun. */
  coverage: number | null;
  forward: ByClass;
  backward: ByClass;
  compliance: Compliance;
}

export interface Counts {
  coverage: number | null;
  compliance: Compliance;
  total: { forward: ByClass; backward: ByClass };
  buckets: Bucket[];
}

export interface Crossing {
  id: string;
  line: string;
  time: string;
  class: string;
  direction: Direction;
  confidence: number | null;
}

export interface Gap { from: string; to: string | null; cause: string | null }

/** A shorter retention that would delete records, and waits. */
export interface ShorterRetention { id: string; hoursLeft: number; records: { kind: string; number: number; days: number }[] }

export interface Upkeep {
  pending: ShorterRetention | null;
  /** A clock that the store does not believe. */
  doubt: { id: string; shows: string } | null;
  setAside: number;
}

export interface SystemInfo {
  version: string | null;
  database: string | null;
  /** What keeps the database from working; null while it works. */
  databaseTrouble: string | null;
  freeBytes: number | null;
  /** What is not stored for want of room. */
  notStored: string | null;
  services: { name: string; status: string }[];
  models: { name: string; classes: string[] }[];
  /** Frames to analyse a second that a camera may be set to. */
  fps?: { min: number; max: number };
  /** Missing where the server does not tell of it. */
  upkeep?: Upkeep;
}

export type Role = "admin" | "viewer";

/** Who looks at the page; `role` is null for somebody who has to log in first. */
export interface Session { loginWanted: boolean; user: string | null; role: Role | null }

export interface User { name: string; role: Role }

export interface Token { id: string; name: string; role: Role; owner: string | null; expires: string | null }

export interface AuditEntry {
  time: string;
  user: string | null;
  by: string | null;
  action: string;
  target: string;
  address: string;
  count: number;
}

export interface AuditPage { items: AuditEntry[]; next: string | null }
