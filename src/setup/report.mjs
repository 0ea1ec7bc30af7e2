/**
 * Prints one line of progress. Set-up speaks on stderr only: stdout belongs to the command that was asked for.
 * @param {string} line
 * @returns {void}
 */
export function report(line) {
  process.stderr.write(`agent-spawn: ${line}\n`);
}

/**
 * A refusal that the user can act on: printed without a stack, exit status 1.
 */
export class SetupError extends Error {
  name = 'SetupError';
}

/**
 * Runs the body of a set-up command and ends the process with the status it returns;
 * a `SetupError` becomes its message and status 1.
 * @param {() => Promise<number>} body
 * @returns {Promise<never>}
 */
export async function runCommand(body) {
  try {
    process.exit(await body());
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    report(error.message);
    process.exit(1);
  }
}
