import { searchParams } from "sv-router";
import { navigate } from "../app/router.ts";

/** What stands in the address of a view of this folder, and the way to change it. */
interface Kind<Q> {
  path: "/counts" | "/crossings";
  read(params: URLSearchParams): Q;
  write(question: Q): URLSearchParams;
}

interface Options { replace?: boolean }

/**
 * The question of an address. An address changes a moment after it was asked to: a change that comes within that
 * moment begins at what was asked for last, so that of two quick clicks none is lost.
 */
export class AskedAddress<Q extends object> {
  #coming = $state.raw<string | null>(null);
  readonly #kind: Kind<Q>;
  readonly #question: Q;

  constructor(kind: Kind<Q>) {
    this.#kind = kind;
    this.#question = $derived(kind.read(new URLSearchParams(this.#coming ?? searchParams.toURLSearchParams())));
  }

  get question(): Q {
    return this.#question;
  }

  /** Changes a part of it. */
  change(patch: Partial<Q>, { replace = false }: Options = {}): void {
    const search = this.#kind.write({ ...this.#question, ...patch }).toString();
    this.#coming = search;
    void navigate(this.#kind.path, { search, scrollToTop: false, replace }).finally(() => {
      if (this.#coming === search) this.#coming = null;
    });
  }
}
