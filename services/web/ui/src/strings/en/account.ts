/** What the folder `account` says. */
export const account = {
  title: "Account",
  logIn: "Log in",
  logOut: "Sign out",
  user: "User",
  password: "Password",
  needUser: "Give your user name.",
  needPassword: "Give your password.",
  ended: "Your session has ended. Log in again to go on where you were.",
};
