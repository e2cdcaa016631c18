import { spawn, type ChildProcess } from 'node:child_process';

const maxBytes = 64 * 1024;

/**
 * Runs a program and its arguments, without a shell, and resolves with what it writes to its output (UTF-8, at most 64 KiB). Its error output goes nowhere: it could quote
 * credentials. Throws an Error whose message can be shown when it cannot be started, ends with another code than 0, writes too much, or takes longer than `timeoutMs`
 * (30 s); then it is killed together with its children.
 */
export function runTokenCommand(command: readonly string[], timeoutMs = 30_000): Promise<string> {
  const [program = '', ...rest] = command;
  return new Promise((resolve, reject) => {
    // A group of its own, so that what a script has started can be ended with it.
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'], detached: true, windowsHide: true });
    const pieces: Buffer[] = [];
    let size = 0;

    function giveUp(reason: string): void {
      clearTimeout(timer);
      endGroup(child);
      child.stdout.destroy();
      reject(new Error(reason));
    }

    const timer = setTimeout(() => {
      giveUp(`it took longer than ${timeoutMs} ms`);
    }, timeoutMs);
    child.stdout.on('data', (piece: Buffer) => {
      pieces.push(piece);
      size += piece.length;
      if (size > maxBytes) giveUp(`it wrote more than ${maxBytes} bytes`);
    });
    child.on('error', (error) => {
      const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
      giveUp(`the program cannot be started${code}`);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(pieces, size).toString());
      else reject(new Error(code === null ? `it was ended by ${signal ?? 'a signal'}` : `it ended with code ${code}`));
    });
  });
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Where there are no groups, or nothing of it is left.
    child.kill('SIGKILL');
  }
}
