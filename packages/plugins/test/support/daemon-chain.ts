/**
 * Daemon after daemon, each of which lives for a moment, for two minutes: a program in Python. Each has the end of a pipe, the file `chain`
 * in the program's folder. Who began it ends with whoever has the other end of its descriptor 3, so that nothing leads to them.
 */
export const daemonChain = `
import os, time
os.chdir(os.path.dirname(os.path.abspath(__file__)))
over = time.monotonic() + 120
if os.fork() == 0:
    pipe = os.open("chain", os.O_WRONLY)
    while time.monotonic() < over and os.fork() == 0:
        os.setsid()
        time.sleep(0.003)
    os._exit(0)
while os.read(3, 1024):
    pass
`;
