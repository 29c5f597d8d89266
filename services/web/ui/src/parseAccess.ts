import { items } from "./parse.ts";
import type { AuditEntry, AuditPage, Role, Session, Token, User } from "./types.ts";

/** Answers about users, tokens and the audit log in the page's own types. */
type Json = Record<string, unknown>;

const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const role = (value: unknown): Role | null => (value === "admin" || value === "viewer" ? value : null);

export function session(body: unknown): Session {
  const raw = object(body);
  return { loginWanted: raw["login_wanted"] === true, user: text(raw["user"]), role: role(raw["role"]) };
}

export const users = (body: unknown): User[] =>
  items(body).map((raw) => ({ name: text(raw["name"]) ?? "", role: role(raw["role"]) ?? "viewer" }));

function token(raw: Json): Token {
  return {
    id: text(raw["id"]) ?? "",
    name: text(raw["name"]) ?? "",
    role: role(raw["role"]) ?? "viewer",
    owner: text(raw["owner"]),
    expires: text(raw["expires"]),
  };
}

export const tokens = (body: unknown): Token[] => items(body).map(token);
export const secret = (body: unknown): string => text(object(body)["token"]) ?? "";

function entry(raw: Json): AuditEntry {
  return {
    time: text(raw["time"]) ?? "",
    user: text(raw["user"]),
    by: text(raw["by"]),
    action: text(raw["action"]) ?? "",
    target: text(raw["target"]) ?? "",
    address: text(raw["address"]) ?? "",
    count: typeof raw["count"] === "number" ? raw["count"] : 1,
  };
}

export const audit = (body: unknown): AuditPage => ({ items: items(body).map(entry), next: text(object(body)["next"]) });
