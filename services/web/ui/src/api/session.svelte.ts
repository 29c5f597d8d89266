import { answer, answerOf, client, whenLoggedOut } from "./client.ts";
import { queries } from "./queries.ts";
import { live } from "./live.svelte.ts";
import type { SessionAnswer } from "./schema.ts";

/** Who looks at the page. The server decides what they may do; the page leaves out what it would refuse. */
class Session {
  /** Null: not known yet. */
  current = $state.raw<SessionAnswer | null>(null);
  /** Whether somebody was logged in before, so that the form says why it is there again. */
  hasEnded = $state(false);

  /** Counts who has looked at this page one after the other. */
  person = $state(0);
  #person: string | null = null;

  get mayLook(): boolean {
    return this.current?.role != null;
  }

  get mayEdit(): boolean {
    return this.current?.role === "admin";
  }

  /** Asks who this is; ApiError or Unreachable where that is not to be known now. */
  async read(): Promise<void> {
    this.#set(await answerOf(client.GET("/api/v1/session")));
  }

  async logIn(user: string, password: string): Promise<void> {
    this.#set(await answerOf(client.POST("/api/v1/session", { body: { user, password } })));
  }

  /** Somebody else: nothing of what the one before saw or did is left. */
  #change(): void {
    this.person += 1;
    queries.clear();
    live.cameras = null;
  }

  async logOut(): Promise<void> {
    await answer(client.DELETE("/api/v1/session"));
    location.reload();
  }

  readonly end = (): void => {
    if (this.current?.role == null) return;
    this.#set({ login_wanted: true, user: null, role: null });
  };

  #set(next: SessionAnswer): void {
    const looked = this.mayLook;
    if (next.user !== null && this.#person !== null && next.user !== this.#person) this.#change();
    this.#person = next.user ?? this.#person;
    this.current = next;
    if (this.mayLook && !looked) this.#begin();
    if (this.mayLook || !looked) return;
    this.hasEnded = true;
    live.stop();
  }

  #begin(): void {
    const isBack = this.hasEnded;
    this.hasEnded = false;
    live.start(this.check);
    if (isBack) void queries.invalidateQueries();
  }

  /** The socket was closed because its session is over: so says the server, or it is asked. */
  readonly check = (): void => {
    this.read().catch(() => undefined).finally(() => {
      if (this.mayLook) live.restart();
    });
  };
}

export const session = new Session();
whenLoggedOut(session.end, () => session.hasEnded);
