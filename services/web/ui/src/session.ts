import { ApiError, request, whenLoggedOut } from "./api.ts";
import { session as parsed } from "./parseAccess.ts";
import { state, update } from "./state.ts";
import type { Session } from "./types.ts";

/** Who looks at the page. The server decides what they may do; the page leaves out what it would refuse. */
export const mayLook = (): boolean => state.session?.role != null;
export const mayEdit = (): boolean => state.session?.role === "admin";

export async function refreshSession(): Promise<void> {
  update({ session: parsed(await request("GET", "/session")) });
}

/** Null when it worked, else why not. */
export async function logIn(user: string, password: string): Promise<string | null> {
  try {
    update({ session: parsed(await request("POST", "/session", { user, password })) });
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

export async function logOut(): Promise<void> {
  await request("DELETE", "/session");
  location.reload();
}

whenLoggedOut(() => {
  const known: Session | null = state.session;
  if (known?.role != null) update({ session: { loginWanted: true, user: null, role: null }, answering: false });
});
