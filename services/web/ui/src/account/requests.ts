import { answer, answerOf, client } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import type { AuditPage, TokenAnswer, UserAnswer } from "../api/schema.ts";
import type { Role } from "../api/types.ts";

/** What the API knows of users, tokens and the audit log. */
export const SHORTEST_PASSWORD = 12;
export const USERS = ["users"] as const;
export const TOKENS = ["tokens"] as const;

export const users = async (): Promise<UserAnswer[]> => (await answerOf(client.GET("/api/v1/users"))).items;

export async function addUser(name: string, password: string, role: Role): Promise<void> {
  await answer(client.POST("/api/v1/users", { body: { name, password, role } }));
  await queries.invalidateQueries({ queryKey: USERS });
}

export async function changeRole(name: string, role: Role): Promise<void> {
  try {
    await answer(client.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body: { role } }));
  } finally {
    await queries.invalidateQueries({ queryKey: USERS });
  }
}

/** One's own password changes only with the old one. */
export async function changePassword(name: string, password: string, old: string | null, keepTokens: boolean): Promise<void> {
  const body = { password, keep_tokens: keepTokens, ...(old !== null && { old_password: old }) };
  await answer(client.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body }));
}

export async function deleteUser(name: string): Promise<void> {
  await answer(client.DELETE("/api/v1/users/{name}", { params: { path: { name } } }));
  await queries.invalidateQueries({ queryKey: USERS });
}

export const tokens = async (): Promise<TokenAnswer[]> => (await answerOf(client.GET("/api/v1/tokens"))).items;

/** Gives the token itself, which is shown this once; it expires at a time, or "never". */
export async function addToken(name: string, role: Role, expires: string): Promise<string> {
  const { token } = await answerOf(client.POST("/api/v1/tokens", { body: { name, role, expires } }));
  await queries.invalidateQueries({ queryKey: TOKENS });
  return token;
}

export async function deleteToken(id: string): Promise<void> {
  await answer(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
  await queries.invalidateQueries({ queryKey: TOKENS });
}

/** A page of the audit log, newest first. */
export const audit = (cursor: string | null): Promise<AuditPage> =>
  answerOf(client.GET("/api/v1/audit", { params: { query: { limit: 50, cursor } } }));
