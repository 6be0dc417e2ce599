import { signIn } from './api.js';
import { h, setText } from './dom.js';
import { mark } from './icons.js';

/** The form that is shown while nobody is signed in. */

/** Takes the code out of an address such as ".../login#CODE": it must stay in neither the address nor the browser's history. */
export function takeCode(): string {
  if (!/\/login$/.test(location.pathname) || location.hash.length < 2) return '';
  const code = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, '', location.pathname);
  return code;
}

const reasons: Record<number, string> = {
  401: 'This is not valid, or was used before. Codes are valid once, for a short time.',
  429: 'Too many attempts. Wait a few seconds.',
};

/** Tries a credential; an empty text means success. */
export async function tryCredential(credential: { code: string } | { token: string }): Promise<string> {
  try {
    const status = await signIn(credential);
    return status < 300 ? '' : (reasons[status] ?? `The server answered ${status}.`);
  } catch {
    return 'The coordinator does not answer.';
  }
}

/** The form; calls back once the login has succeeded. */
export function loginForm(problem: string, signedIn: () => void): HTMLElement {
  const token = h('input', {
    type: 'password',
    id: 'token',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
    'data-test': 'login-token',
  });
  const message = h('p', { class: 'badv', role: 'alert' }, problem);
  const button = h('button', { type: 'submit', class: 'btn on' }, 'Sign in');
  const form = h(
    'form',
    { class: 'panel login', 'data-test': 'login' },
    h('h1', null, mark(), 'Orchestrator'),
    h(
      'p',
      null,
      'Open the address that ',
      h('code', null, 'orchestrator serve'),
      ' printed, make another with ',
      h('code', null, 'orchestrator page'),
      ', or sign in with a token or a code.',
    ),
    // Keepers of passwords want a name beside them.
    h('input', { type: 'text', name: 'username', autocomplete: 'username', hidden: true }),
    h('label', { for: 'token' }, 'Token or code'),
    token,
    message,
    button,
  );
  form.addEventListener('submit', event => {
    event.preventDefault();
    void submit();
  });

  async function submit(): Promise<void> {
    const text = token.value.trim();
    button.disabled = true;
    setText(message, '');
    // What was pasted may be either, also as the whole address of the code.
    const code = text.includes('#') ? text.slice(text.indexOf('#') + 1) : '';
    let problem = await tryCredential(code ? { code } : { token: text });
    if (problem && !code && text.length <= 64 && problem === reasons[401]) problem = await tryCredential({ code: text });
    button.disabled = false;
    setText(message, problem);
    if (!problem) signedIn();
  }

  return h('main', { class: 'signin' }, form);
}
