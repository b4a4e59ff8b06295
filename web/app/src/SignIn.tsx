import { useState } from 'react';
import { addressOf, checkName } from './signIn.ts';

/** Asks for a name: in Development anybody is who they say. */
export function SignIn() {
  const [user, setUser] = useState('');
  const problem = user ? checkName(user.trim()) : undefined;
  return (
    <main className="sign-in card">
      <h1>Chatterbox</h1>
      <p>A text-to-speech session, in step on every tab and device.</p>
      <form
        onSubmit={event => {
          event.preventDefault();
          if (checkName(user.trim()) === undefined) location.assign(addressOf({ user: user.trim(), device: undefined }));
        }}
      >
        <label htmlFor="user">Your name</label>
        <input
          id="user"
          name="user"
          autoComplete="username"
          autoFocus
          required
          value={user}
          aria-describedby="user-problem"
          onChange={event => setUser(event.target.value)}
        />
        <p id="user-problem" className="problem" role="status">
          {problem && `Your name ${problem}`}
        </p>
        <button className="primary">Open my session</button>
      </form>
    </main>
  );
}
