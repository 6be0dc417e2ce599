import { onSignedOut, session, wordsOf } from './api.js';
import { applyTheme } from './colours.js';
import { debug } from './debug.js';
import { gaps } from './frames.js';
import { loginForm, takeCode, tryCredential } from './login.js';
import { model } from './model.js';
import { startRouter } from './router.js';
import { Shell } from './shell.js';

/** The entry: signs in, or shows the form, then the shell. */

applyTheme();
startRouter();
let shell: Shell | null = null;

/** The first refusal ends the page; calls that are under way may be refused, too. */
function signedOut(): void {
  if (!shell) return;
  shell.stop();
  shell = null;
  model.stop();
  showForm('You have been signed out.');
}

function showForm(problem: string): void {
  document.body.className = 'out';
  document.title = 'Sign in · Orchestrator';
  document.body.replaceChildren(loginForm(problem, entered));
}

/** Once signed in: the page begins anew, at the same address unless that is the form's own. */
function entered(): void {
  if (/\/login$/.test(location.pathname)) location.replace('./');
  else location.reload();
}

async function start(): Promise<void> {
  const code = takeCode();
  if (code) {
    const problem = await tryCredential({ code });
    return problem ? showForm(problem) : entered();
  }
  const who = await session();
  if (!who) return showForm('');
  model.signedOut = signedOut;
  onSignedOut(signedOut);
  model.start(who);
  shell = new Shell(entered);
  shell.start();
}

start().catch((error: unknown) => showForm(wordsOf(error)));

/** For tests: read only. */
Object.defineProperty(window, 'orchestratorPage', {
  value: Object.freeze({
    get spans() {
      return model.spans.attempts;
    },
    get frames() {
      return gaps.slice();
    },
    openBars: () => model.open.size,
    hatched: () => debug.hatched(),
  }),
});
