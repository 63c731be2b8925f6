import { endOfTurn } from "../../lib/stream/clock.ts";

/** Resolves when this turn of the event loop and the next few have ended, with all that is ready in them. */
export async function turns(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise<void>(endOfTurn);
}
