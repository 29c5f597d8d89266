import { answer, answerOf, client } from "./client.ts";
import type { AuditPage, Role, Session, Token, User } from "./types.ts";

/** What the API knows of the session, users, tokens and the audit log. */
export const session = (): Promise<Session> => answerOf(client.GET("/api/v1/session"));

export const beginSession = (user: string, password: string): Promise<Session> =>
  answerOf(client.POST("/api/v1/session", { body: { user, password } }));

export async function endSession(): Promise<void> {
  await answer(client.DELETE("/api/v1/session"));
}

export const users = async (): Promise<User[]> => (await answerOf(client.GET("/api/v1/users"))).items;

export async function addUser(name: string, password: string, role: Role): Promise<void> {
  await answer(client.POST("/api/v1/users", { body: { name, password, role } }));
}

export async function changeRole(name: string, role: Role): Promise<void> {
  await answer(client.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body: { role } }));
}

/** One's own password changes only with the old one. */
export async function changePassword(name: string, password: string, old: string | null, keepTokens: boolean): Promise<void> {
  const change = { password, keep_tokens: keepTokens };
  const body = old === null ? change : { ...change, old_password: old };
  await answer(client.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body }));
}

export async function deleteUser(name: string): Promise<void> {
  await answer(client.DELETE("/api/v1/users/{name}", { params: { path: { name } } }));
}

export const tokens = async (): Promise<Token[]> => (await answerOf(client.GET("/api/v1/tokens"))).items;

/** Gives the token itself, which is shown this once; it expires at a time, or "never". */
export async function addToken(name: string, role: Role, expires: string): Promise<string> {
  return (await answerOf(client.POST("/api/v1/tokens", { body: { name, role, expires } }))).token;
}

export async function deleteToken(id: string): Promise<void> {
  await answer(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
}

export async function audit(cursor: string | null): Promise<AuditPage> {
  return answerOf(client.GET("/api/v1/audit", { params: { query: { limit: 50, cursor } } }));
}
