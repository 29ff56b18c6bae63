/* What systemd's logind does to a process that should outlive the session it was started in. */
#ifndef BERTTY_RUN_LOGIND_H
#define BERTTY_RUN_LOGIND_H

enum bt__logout {
    BT__LOGOUT_SAFE,  /* a session of its own is enough */
    BT__LOGOUT_SCOPE, /* started through `systemd-run --user --scope` it lives on */
    BT__LOGOUT_KILLS, /* it ends with the user's last session, and nothing that a user may do now changes that */
};

/* root: "" (another one for tests). session, runtime: XDG_SESSION_ID and XDG_RUNTIME_DIR, NULL if unset; user: the login name, NULL: unknown. */
enum bt__logout bt__logout_plan(const char *root, const char *session, const char *runtime, const char *user);

#endif
