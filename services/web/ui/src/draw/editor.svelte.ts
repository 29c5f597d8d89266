import { readLines } from "../api/asking.ts";
import { answer, answerOf, client } from "../api/client.ts";
import type { Line, Point } from "../api/types.ts";
import { t } from "../strings/index.svelte.ts";
import { begun, mapped, redone, replaced, stepped, undone } from "./history.ts";
import type { History } from "./history.ts";
import { changeOf, draftOf, faultOf, isChanged, newDraft, overtaken, rebased, storedAs } from "./lines.ts";
import type { Draft, Drafts, Fault } from "./lines.ts";

/** Changes of one kind that follow one another within this time are undone together. */
const TOGETHER_MS = 900;

/** The lines of a camera in a person's hands: changed here, undone here, stored by `save`. */
export class LineEditor {
  #history = $state.raw<History<Drafts>>(begun<Drafts>([]));
  #lines: readonly Line[] = [];
  #last = { what: "", at: 0 };
  selected = $state<string | null>(null);
  isSaving = $state(false);
  /** What the server, or this page, says against a line, by its key. */
  errors = $state.raw<ReadonlyMap<string, unknown>>(new Map());
  faults = $state.raw<ReadonlyMap<string, Fault>>(new Map());

  /** `onread` gets the lines as they are after they were stored. */
  constructor(readonly camera: string, private readonly onread: (lines: Line[]) => void) {}

  get drafts(): Drafts {
    return this.#history.present;
  }

  get current(): Draft | null {
    return this.drafts.find((draft) => draft.key === this.selected) ?? null;
  }

  get canUndo(): boolean {
    return this.#history.past.length > 0;
  }

  get canRedo(): boolean {
    return this.#history.future.length > 0;
  }

  /** Lines that `save` would store: changed, new, and deleted ones. */
  get changes(): number {
    return this.drafts.filter(isChanged).length + this.deleted.length;
  }

  /** Lines of the server that have been taken out here. */
  get deleted(): readonly Line[] {
    const kept = new Set(this.drafts.map((draft) => draft.stored?.id));
    return this.#lines.filter((line) => !kept.has(line.id));
  }

  /** Takes the server's lines: what nobody has touched here follows them. */
  follow(lines: readonly Line[]): void {
    const before = this.#lines;
    this.#lines = lines;
    this.#history = mapped(this.#history, (drafts) => rebased(drafts, before, lines));
    this.#before &&= rebased(this.#before, before, lines);
    if (this.#history.past.length === 0 && this.selected !== null && !this.current) this.selected = null;
  }

  add(points: readonly Point[]): void {
    const draft = newDraft(points, this.drafts, t().draw.newName);
    this.#step("add", [...this.drafts, draft]);
    this.selected = draft.key;
  }

  /** Changes a line; `what` names the kind of change, so that a row of them is undone together. */
  change(key: string, patch: Partial<Draft>, what: string): void {
    this.#step(`${key} ${what}`, this.#patched(key, patch));
    this.#forget(key);
  }

  #before: Drafts | null = null;

  /**
   * Moves a line's points while a hand pulls at them, and for good when it has let go: each pull is a step.
   * Steps of keys, which come without a pull, are undone together.
   */
  pull(key: string, points: readonly Point[], isDone: boolean): void {
    const next = this.#patched(key, { points });
    if (!isDone) {
      this.#before ??= this.drafts;
      this.#history = replaced(this.#history, next);
      return;
    }
    const isPull = this.#before !== null;
    if (this.#before) this.#history = replaced(this.#history, this.#before);
    this.#before = null;
    this.#step(isPull ? `pull ${performance.now()}` : `${key} points`, next);
    this.#forget(key);
  }

  /** Turns a line round: what was forward is backward, and so are the names. */
  turn(key: string): void {
    const draft = this.drafts.find((known) => known.key === key);
    if (draft) this.change(key, { points: [...draft.points].reverse() }, `turn ${Date.now()}`);
  }

  remove(key: string): void {
    this.#step("remove", this.drafts.filter((draft) => draft.key !== key));
    this.selected = null;
  }

  undo(): void {
    this.#history = undone(this.#history);
    this.#settle();
  }

  redo(): void {
    this.#history = redone(this.#history);
    this.#settle();
  }

  /** Gives up all that was changed here. */
  reset(): void {
    this.#history = begun<Drafts>(this.#lines.map(draftOf));
    this.selected = null;
    this.#settle();
  }

  /** Stores what differs. What is refused stays as it is here, with its error. Gives whether all was stored. */
  async save(): Promise<boolean> {
    this.faults = new Map(this.drafts.flatMap((draft) => {
      const fault = isChanged(draft) ? faultOf(draft) : null;
      return fault ? [[draft.key, fault] as const] : [];
    }));
    const first = [...this.faults.keys()][0];
    if (first !== undefined) {
      this.selected = first;
      return false;
    }
    this.isSaving = true;
    try {
      return await this.#store();
    } finally {
      this.isSaving = false;
    }
  }

  /** Lines that somebody else has changed meanwhile; saving takes the place of theirs. */
  async overtaken(): Promise<Draft[]> {
    return overtaken(this.drafts, await this.#read());
  }

  async #store(): Promise<boolean> {
    const errors = new Map<string, unknown>();
    for (const line of this.deleted) {
      await this.#attempt(errors, line.id, async () => {
        const path = { camera: this.camera, line: line.id };
        await answer(client.DELETE("/api/v1/cameras/{camera}/lines/{line}", { params: { path } }));
      });
    }
    for (const draft of this.drafts.filter(isChanged)) {
      await this.#attempt(errors, draft.key, async () => this.#stored(draft, await this.#send(draft)));
    }
    this.errors = errors;
    const lines = await this.#read();
    this.#history = begun(this.drafts);
    this.follow(lines);
    this.onread(lines);
    return errors.size === 0;
  }

  async #attempt(errors: Map<string, unknown>, key: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      errors.set(key, error);
    }
  }

  async #send(draft: Draft): Promise<Line> {
    const body = changeOf(draft) as never;
    const { camera } = this;
    if (draft.stored === null) {
      return (await answerOf(client.POST("/api/v1/cameras/{camera}/lines", { params: { path: { camera } }, body }))) as Line;
    }
    const path = { camera, line: draft.stored.id };
    return (await answerOf(client.PATCH("/api/v1/cameras/{camera}/lines/{line}", { params: { path }, body }))) as Line;
  }

  #stored(sent: Draft, line: Line): void {
    this.#lines = [...this.#lines.filter((known) => known.id !== line.id), line];
    this.#history = replaced(this.#history, this.drafts.map((draft) => (draft.key === sent.key ? storedAs(draft, sent, line) : draft)));
    if (this.selected === sent.key) this.selected = line.id;
  }

  readonly #read = (): Promise<Line[]> => readLines(this.camera);

  #patched(key: string, patch: Partial<Draft>): Drafts {
    return this.drafts.map((draft) => (draft.key === key ? { ...draft, ...patch } : draft));
  }

  #step(what: string, next: Drafts): void {
    const now = performance.now();
    const isSame = what === this.#last.what && now - this.#last.at < TOGETHER_MS && this.canUndo;
    this.#history = isSame ? replaced(this.#history, next) : stepped(this.#history, next);
    this.#last = { what, at: now };
  }

  #settle(): void {
    this.#last = { what: "", at: 0 };
    if (!this.current) this.selected = null;
    this.errors = new Map();
    this.faults = new Map();
  }

  #forget(key: string): void {
    if (!this.errors.has(key) && !this.faults.has(key)) return;
    this.errors = new Map([...this.errors].filter(([known]) => known !== key));
    this.faults = new Map([...this.faults].filter(([known]) => known !== key));
  }
}
