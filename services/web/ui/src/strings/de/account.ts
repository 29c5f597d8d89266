import type { Strings } from "../en/index.ts";

export const account: Strings["account"] = {
  title: "Konto",
  logIn: "Anmelden",
  logOut: "Abmelden",
  user: "Benutzer",
  password: "Passwort",
  needUser: "Geben Sie Ihren Benutzernamen an.",
  needPassword: "Geben Sie Ihr Passwort an.",
  ended: "Ihre Sitzung ist beendet. Melden Sie sich wieder an, um dort weiterzumachen.",
};
