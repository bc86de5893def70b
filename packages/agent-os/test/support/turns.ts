/** Counts the turns that the rest of the process has while something is done. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  const next = () => {
    turns += 1;
    turn = setImmediate(next);
  };
  let turn = setImmediate(next);
  try {
    await work();
  } finally {
    clearImmediate(turn);
  }
  return turns;
}
