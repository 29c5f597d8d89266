import type { CameraAnswer } from "./schema.ts";
import { lastAnswerMs, learnExactTime } from "./clock.ts";
import { socketAddressOf } from "./base.ts";
import { showStills } from "./stills.ts";
import { mergedWants, pictureOf } from "./live-messages.ts";
import type { LiveText, Missing, Picture, Tracks, Wanted } from "./live-messages.ts";

/** All live pictures of this tab over one WebSocket; it lets go of them while the tab is hidden. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
/** The server says that it is alive every 5 s. */
const SILENT_MS = 13_000;
const SESSION_ENDED = 4401;
const TOO_MANY = 4429;
/** All places of the server are taken: nothing keeps a socket from it. */
const FULL = 1013;
/** So often in a row the socket fails while requests are answered, until it is said that something keeps it from us. */
const MOST_FAILURES = 2;

export interface Follower {
  picture?(picture: Picture): void;
  tracks?(tracks: Tracks): void;
  /** No picture comes, and why. */
  missing?(missing: Missing): void;
}

class Live {
  /** The server answers: `connecting` until it does for the first time, `away` after it was lost. */
  state = $state<"connecting" | "open" | "away">("connecting");
  /** It answers, but this user has as many pages open as one may have. */
  isCrowded = $state(false);
  /** Requests are answered, but no socket opens: a proxy in between may not let them through. Single pictures come. */
  isBlocked = $state(false);
  /** What was told of the cameras last; null: nothing yet. */
  cameras = $state.raw<CameraAnswer[] | null>(null);

  readonly #followers = new Map<symbol, { wanted: Wanted; follower: Follower }>();
  #socket: WebSocket | null = null;
  #waitMs = FIRST_WAIT_MS;
  #timer: number | undefined;
  #silence: number | undefined;
  #planned = false;
  #isWanted = false;
  #lostMs = -Infinity;
  #failures = 0;
  #endStills: (() => void) | null = null;
  #onEnd = (): void => undefined;

  /** Opens the socket, and keeps it open; `onEnd` runs when the session has ended. */
  start(onEnd: () => void): void {
    this.#onEnd = onEnd;
    this.#isWanted = true;
    document.addEventListener("visibilitychange", this.#seen);
    addEventListener("online", this.#soon);
    addEventListener("offline", this.#cutOff);
    this.#open();
  }

  /** Opens it anew, in a moment. */
  restart(): void {
    if (this.#isWanted) this.#retry();
  }

  /** Closes it for good. */
  stop(): void {
    this.#isWanted = false;
    document.removeEventListener("visibilitychange", this.#seen);
    removeEventListener("online", this.#soon);
    removeEventListener("offline", this.#cutOff);
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#socket?.close();
    this.#socket = null;
    this.#opened();
    this.state = "connecting";
  }

  /** Pictures come, of now: over the socket, or one by one. */
  get hasPictures(): boolean {
    return this.state === "open" || this.isBlocked;
  }

  /** Asks for pictures or tracks of a camera until the function that it gives is called. */
  follow(wanted: Wanted, follower: Follower): () => void {
    const key = Symbol(wanted.camera);
    this.#followers.set(key, { wanted, follower });
    this.#plan();
    return () => {
      this.#followers.delete(key);
      this.#plan();
    };
  }

  /** Views that change together send one message. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#send();
    });
  }

  /** A tab that is looked at again does not wait for its next try. */
  readonly #seen = (): void => {
    if (document.hidden) this.#send();
    else if (this.state === "away") this.#soon();
    else this.#send();
  };

  readonly #send = (): void => {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const wants = document.hidden ? [] : [...this.#followers.values()].map(({ wanted }) => wanted);
    this.#socket.send(JSON.stringify({ cameras: mergedWants(wants) }));
  };

  readonly #soon = (): void => {
    if (this.state === "open" || !this.#isWanted) return;
    clearTimeout(this.#timer);
    this.#open();
  };

  /** Without a network no word comes that the socket is lost. */
  readonly #cutOff = (): void => {
    const socket = this.#socket;
    this.#lost(0);
    socket?.close();
  };

  #open(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    const socket = new WebSocket(socketAddressOf("api/v1/live"));
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = this.#send;
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data as string | ArrayBuffer);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    };
    this.#watchSilence();
  }

  #receive(data: string | ArrayBuffer): void {
    this.#watchSilence();
    this.#waitMs = FIRST_WAIT_MS;
    this.#opened();
    this.state = "open";
    if (typeof data !== "string") {
      const picture = pictureOf(data);
      if (picture) this.#each(picture.camera, (follower) => follower.picture?.(picture));
      return;
    }
    const message = JSON.parse(data) as LiveText;
    if (message.type === "cameras") this.cameras = message.items;
    else if (message.type === "alive") learnExactTime(message.time, Date.now());
    else if (message.type === "tracks") this.#each(message.camera, (follower) => follower.tracks?.(message));
    else if (message.type === "missing") this.#each(message.camera, (follower) => follower.missing?.(message));
  }

  #each(camera: string, tell: (follower: Follower) => void): void {
    for (const { wanted, follower } of [...this.#followers.values()]) if (wanted.camera === camera) tell(follower);
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(this.#cutOff, SILENT_MS);
  }

  #opened(): void {
    this.#failures = 0;
    this.isBlocked = false;
    this.#endStills?.();
    this.#endStills = null;
  }

  /** The socket failed: whether requests are answered meanwhile tells a server that is away from a way that is blocked. */
  #failed(): void {
    this.#failures = lastAnswerMs() > this.#lostMs ? this.#failures + 1 : 0;
    this.#lostMs = performance.now();
    if (this.#failures === 0) this.#opened();
    this.isBlocked = this.#failures >= MOST_FAILURES;
    if (!this.isBlocked || this.#endStills) return;
    this.#endStills = showStills(
      () => [...new Set([...this.#followers.values()].flatMap(({ wanted }) => (wanted.pictures ? [wanted.camera] : [])))],
      (picture) => this.#each(picture.camera, (follower) => follower.picture?.(picture)),
    );
  }

  #lost(code: number): void {
    clearTimeout(this.#silence);
    this.#socket = null;
    if (!this.#isWanted) return;
    if (code === SESSION_ENDED) return this.#onEnd();
    this.isCrowded = code === TOO_MANY;
    if (!this.isCrowded && code !== FULL) this.#failed();
    this.state = "away";
    this.#retry();
  }

  #retry(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#open(), this.#waitMs);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
  }
}

export const live = new Live();
