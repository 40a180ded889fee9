"""Version control and its hosts: git, gh, glab."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE
_PUSHED = Does.WRITE | Does.SEND | Does.DELETE

USAGES = (
    *uses(
        "git-push-force", _PUSHED | Does.IRREVERSIBLE | Does.BROAD, "overwrites a remote branch",
        ("git push -f|--force !--force-with-lease !--force-if-includes", "git push --force origin main", "git push --force-with-lease origin a"),
        ("git push --mirror", "git push --mirror backup", "git push origin main"),
        ("git push +*", "git push origin +main:main", "git push origin main:main"),
    ),
    *uses("git-push-lease", _PUSHED, "overwrites a remote branch unless another did", ("git push --force-with-lease", "git push --force-with-lease origin a", "git push origin a")),
    *uses("git-copy", Does.WRITE | Does.BACKUP, "keeps a copy of a whole repository", ("git clone --mirror", "git clone --mirror a b", "git clone a b"), ("git bundle create", "git bundle create a.bundle --all", "git bundle verify a.bundle")),
    *uses("git-push-all", Does.WRITE | Does.SEND | Does.BROAD, "sends every branch of a repository out", ("git push --all|--tags --all", "git push -u origin --all", "git push origin main")),
    *uses(
        "git-delete-branch", Does.DELETE, "deletes a branch",
        ("git push -d|--delete", "git push origin --delete a", "git push origin a"),
        ("git push :?*", "git push origin :release", "git push origin release"),
        ("git push --prune", "git push --prune origin", "git push origin"),
        ("git branch -D|-d|--delete", "git branch -D a", "git branch a"),
        ("git tag -d|--delete", "git tag -d v1", "git tag v1"),
        ("git update-ref|symbolic-ref -d", "git update-ref -d refs/heads/main", "git update-ref refs/heads/main a"),
        ("git worktree remove", "git worktree remove ../a", "git worktree list"),
        ("git remote remove|rm", "git remote remove origin", "git remote -v"),
        ("git stash drop", "git stash drop stash@{0}", "git stash pop"),
        ("git notes remove", "git notes remove a", "git notes show a"),
        ("git rm", "git rm a.py", "git add a.py"),
    ),
    *uses(
        "git-reset-hard", Does.DELETE, "discards local changes",
        ("git reset --hard", "git reset --hard HEAD~3", "git reset HEAD a.py"),
        ("git checkout|switch -f|--force|--discard-changes", "git checkout -f main", "git checkout main"),
        ("git restore --worktree|-W", "git restore --staged --worktree a.py", "git restore --staged a.py"),
    ),
    *uses(
        "git-discard-all", Does.DELETE | Does.BROAD, "discards all local changes",
        ("git checkout .|:/", "git checkout -- .", "git checkout main"),
        ("git restore .|:/ !-S", "git restore .", "git restore a.py"),
        ("git submodule deinit --all", "git submodule deinit --all -f", "git submodule update"),
    ),
    *uses(
        "git-clean", Does.DELETE, "deletes untracked files",
        ("git clean -f|--force !-n !--dry-run", "git clean -fd", "git clean -n"),
    ),
    *uses(
        "git-clean-all", _GONE | Does.BROAD, "deletes untracked and ignored files",
        ("git clean -x|-X -f|--force !-n !--dry-run", "git clean -fdx", "git clean -fd"),
        ("git stash clear", "git stash clear", "git stash list"),
    ),
    *uses("git-clean-try", Does.READ, "lists untracked files", ("git clean -n|--dry-run", "git clean -n", "git clean -f")),
    *uses(
        "git-rewrite-history", _GONE | Does.BROAD | Does.AUDIT, "rewrites a repository's history",
        ("git filter-branch|filter-repo", "git filter-branch --all", "git log --all"),
        ("git reflog expire|delete", "git reflog expire --expire=now --all", "git reflog show"),
        ("git gc|prune --prune|--expire=now|all", "git gc --prune=now", "git gc --auto"),
        ("bfg *", "bfg --delete-files a", "bfg"),
    ),
    *uses(
        "skip-checks", Does.WRITE | Does.SAFEGUARD, "skips the checks before a commit",
        ("git commit|push|merge|rebase|am|cherry-pick --no-verify", "git commit --no-verify -m a", "git commit --verbose"),
        ("git commit -n", "git commit -n -m a", "git commit -m a"),
        ("git -c=*hookspath=*|*gpgsign=false*", "git -c core.hooksPath=/dev/null commit -m a", "git -c user.name=a commit -m b"),
        ("git config *hookspath */dev/null", "git config core.hooksPath /dev/null", "git config core.editor vi"),
        ("git commit --no-gpg-sign", "git commit --no-gpg-sign -m a", "git commit -m a"),
    ),
    *uses(
        "read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command",
        ("git credential fill", "git credential fill", "git credential approve"),
        ("gh auth token", "gh auth token", "gh auth login"),
        ("gh auth status -t|--show-token", "gh auth status --show-token", "gh auth status"),
    ),
    *uses(
        "grep-credentials", Does.SEARCH | Does.SEEK_CREDENTIAL, "searches files for credentials",
        ("git log -S|-G=*akia*|*secret*|*token*|*passw*|*api?key*|*private?key*", "git log -p --all -S AKIA", "git log -p"),
        ("gh search code *secret*|*token*|*passw*|*akia*|*api?key*", "gh search code api_key", "gh search code parse"),
    ),
    *uses("upload", Does.WRITE | Does.SEND, "sends data out by a command",
        ("gh gist create", "gh gist create a.txt", "gh gist list"),
        ("gh repo create --push|--source", "gh repo create a --source . --push", "gh repo create a"),
        ("gh release upload|create", "gh release upload v1 a.zip", "gh release view v1"),
        ("git send-email|bundle", "git send-email a.patch", "git format-patch a"),
        ("git push *", "git push origin main", "git pull origin main"),
    ),
    *uses(
        "delete-repository", _GONE, "deletes a repository by a command",
        ("gh repo|codespace delete", "gh repo delete a/b --yes", "gh repo view a/b"),
        ("gh api -X|--method=delete repos/*/*", "gh api -X DELETE repos/a/b", "gh api repos/a/b"),
    ),
    *uses("archive-repository", Does.WRITE, "archives a repository by a command", ("gh repo archive", "gh repo archive a/b", "gh repo view a/b"), without=Does.IRREVERSIBLE),
    *uses(
        "open-repository", Does.WRITE | Does.GRANT, "opens a repository to others by a command",
        ("gh repo edit --visibility=public", "gh repo edit a/b --visibility public", "gh repo edit a/b --visibility private"),
        ("gh api -X|--method=put *collaborators*", "gh api repos/a/b/collaborators/c -X PUT", "gh api repos/a/b/collaborators"),
        ("gh repo deploy-key add", "gh repo deploy-key add k.pub --allow-write", "gh repo deploy-key list"),
        ("gh ssh-key|gpg-key add", "gh ssh-key add k.pub", "gh ssh-key list"),
    ),
    *uses(
        "drop-protection", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command",
        ("gh pr merge --admin", "gh pr merge 4 --admin", "gh pr merge 4"),
        ("gh api -X|--method=delete *protection*|*rulesets*|*required_*", "gh api -X DELETE repos/a/b/branches/main/protection", "gh api repos/a/b/branches/main/protection"),
        ("gh api -f|-F|--field|--raw-field=*disabled*|*enforce_admins*false*|*required*null*", "gh api -X PUT repos/a/b/rulesets/7 -f enforcement=disabled",
         "gh api -X PUT repos/a/b/rulesets/7 -f enforcement=active"),
        ("gh variable set *approv*|*require*|*protect*|*review* --body|-b=false|0|off|no", "gh variable set REQUIRE_APPROVAL --body false", "gh variable set REQUIRE_APPROVAL --body true"),
        ("gh workflow disable", "gh workflow disable scan.yml", "gh workflow enable scan.yml"),
        ("gh ruleset delete", "gh ruleset delete 1", "gh ruleset list"),
    ),
    *uses("erase-runs", Does.DELETE | Does.AUDIT, "deletes the record of what a workflow did by a command", ("gh run delete", "gh run delete 1", "gh run view 1")),
    *uses("assume-role", Does.ESCALATE, "takes on more authority by a command", ("gh auth refresh -s|--scopes", "gh auth refresh -s admin:org", "gh auth refresh"), ("gh auth login -s|--scopes", "gh auth login -s delete_repo", "gh auth login")),
    *uses("http-delete", Does.DELETE, "deletes something by a command", ("gh api -X|--method=delete", "gh api -X DELETE repos/a/b/git/refs/heads/c", "gh api repos/a/b")),
    *uses("http-write", Does.WRITE, "changes something by a command", ("gh api -X|--method=post|put|patch", "gh api -X PUT repos/a/b/x", "gh api repos/a/b")),
    *uses("http-read", Does.READ, "reads something by a command", ("gh api !-X !--method !-f !-F", "gh api repos/a/b", "gh api -X PUT repos/a/b")),
    *uses("hooks-off", Does.WRITE | Does.SAFEGUARD, "skips the checks before a commit",
          ("git config commit.gpgsign|tag.gpgsign|push.gpgsign false", "git config commit.gpgsign false", "git config commit.gpgsign true"),
          ("pre-commit|husky|lefthook uninstall", "pre-commit uninstall", "pre-commit run"),
          ("git push -o|--push-option=ci.skip|skip-ci", "git push -o ci.skip", "git push -o merge_request.create")),
    *uses("set-secret", Does.WRITE | Does.ROTATE, "changes or makes a credential by a command", ("gh|glab secret|variable set", "gh secret set A", "gh secret list"), ("gh|glab ssh-key|deploy-key|token add|create|rotate", "gh ssh-key add k.pub", "gh ssh-key list")),
    *uses("open-key", Does.READ | Does.OPEN_CREDENTIAL, "reads a key from where keys are kept by a command", ("glab variable get|export", "glab variable get A", "glab variable list"), ("git config *token*|*password*", "git config --get github.token", "git config user.name"),
          ("glab auth status -t|--show-token", "glab auth status --show-token", "glab auth status")),
    *uses("host-delete", Does.DELETE, "deletes something by a command", ("glab api -X|--method=delete", "glab api -X DELETE projects/1", "glab api projects/1"), ("gh cache|label|issue|variable|gist|codespace|release delete", "gh issue delete 7", "gh issue list")),
    *uses("host-grant", Does.WRITE | Does.GRANT, "grants access by a command", ("gh api -X|--method=put|post *memberships*|*invitations*|*teams/*/repos*|*keys*", "gh api -X PUT orgs/a/memberships/b", "gh api orgs/a/memberships/b")),
    *uses("branch-move", Does.WRITE | Does.DELETE, "moves a branch off its commits", ("git branch -f|--force|-M", "git branch -f main HEAD~9", "git branch main"), ("git worktree prune", "git worktree prune", "git worktree list")),
)  # fmt: skip
