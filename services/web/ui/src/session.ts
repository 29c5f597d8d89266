import * as api from "./accessApi.ts";
import { ApiError, whenLoggedOut } from "./client.ts";
import { state, update } from "./state.ts";
import type { Session } from "./types.ts";

/** Who looks at the page. The server decides what they may do; the page leaves out what it would refuse. */
export const mayLook = (): boolean => state.session?.role != null;
export const mayEdit = (): boolean => state.session?.role === "admin";

export async function refreshSession(): Promise<void> {
  update({ session: await api.session() });
}

/** Null when it worked, else why not. */
export async function logIn(user: string, password: string): Promise<string | null> {
  try {
    update({ session: await api.beginSession(user, password) });
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

export async function logOut(): Promise<void> {
  await api.endSession();
  location.reload();
}

whenLoggedOut(() => {
  const known: Session | null = state.session;
  if (known?.role != null) update({ session: { login_wanted: true, user: null, role: null }, answering: false });
});
