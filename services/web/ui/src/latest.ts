/**
 * Orders the answers to one question: an answer that was asked for before one that is known already
 * is out of date and must not undo what a person just did.
 */
export function latest<T>(ask: () => Promise<T>): () => Promise<T | null> {
  let asked = 0;
  let known = 0;
  return async () => {
    const turn = ++asked;
    const answer = await ask();
    if (turn < known) return null;
    known = turn;
    return answer;
  };
}
