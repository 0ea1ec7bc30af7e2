/** Until everything has come up to speed, then as long as it is counted, milliseconds. */
const WARM_UP_MS = 200;
const COUNTED_MS = 1000;

/** What a counter gains per second once it has come up to speed. */
export async function countedRate(counter: () => number): Promise<number> {
  await pause(WARM_UP_MS);
  const [before, startedAt] = [counter(), performance.now()];
  await pause(COUNTED_MS);
  return ((counter() - before) / (performance.now() - startedAt)) * 1000;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
