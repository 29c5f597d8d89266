import { request } from "./api.ts";
import * as parse from "./parseAccess.ts";
import type { AuditPage, Role, Token, User } from "./types.ts";

/** What the API knows of users, tokens and the audit log. */
const part = encodeURIComponent;

export const users = async (): Promise<User[]> => parse.users(await request("GET", "/users"));

export async function addUser(name: string, password: string, role: Role): Promise<void> {
  await request("POST", "/users", { name, password, role });
}

export async function changeRole(name: string, role: Role): Promise<void> {
  await request("PATCH", `/users/${part(name)}`, { role });
}

/** One's own password changes only with the old one. */
export async function changePassword(name: string, password: string, old: string | null, keepTokens: boolean): Promise<void> {
  const change = { password, keep_tokens: keepTokens };
  await request("PATCH", `/users/${part(name)}`, old === null ? change : { ...change, old_password: old });
}

export async function deleteUser(name: string): Promise<void> {
  await request("DELETE", `/users/${part(name)}`);
}

export const tokens = async (): Promise<Token[]> => parse.tokens(await request("GET", "/tokens"));

/** Gives the token itself, which is shown this once; it expires at a time, or "never". */
export async function addToken(name: string, role: Role, expires: string): Promise<string> {
  return parse.secret(await request("POST", "/tokens", { name, role, expires }));
}

export async function deleteToken(id: string): Promise<void> {
  await request("DELETE", `/tokens/${part(id)}`);
}

export async function audit(cursor: string | null): Promise<AuditPage> {
  const query = new URLSearchParams({ limit: "50", ...(cursor === null ? {} : { cursor }) });
  return parse.audit(await request("GET", `/audit?${query.toString()}`));
}
