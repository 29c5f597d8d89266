/** A question that is answered before something is done for good. */
export interface Question { title: string; text: string; yes: string; answer: (agreed: boolean) => void }

export const asked = $state<{ question: Question | null }>({ question: null });

/** Asks, and gives whether the person agreed. */
export function confirmed(title: string, text: string, yes: string): Promise<boolean> {
  asked.question?.answer(false);
  return new Promise((answer) => {
    asked.question = { title, text, yes, answer };
  });
}

/** Takes the person's word. */
export function settle(agreed: boolean): void {
  asked.question?.answer(agreed);
  asked.question = null;
}
