#!/bin/sh
# Remotes: the common suite over a bare git repository, and what only git has.
. "${top_srcdir:-.}/tests/cli/lib.sh"
. "$source_dir/tests/cli/remote-suite.sh"

large=no
remote_new() {
	mkdir -p "$scratch/remotes"
	remote_url=$scratch/remotes/$1.git
	git init -q --bare -b main "$remote_url"
}
remote_suite

# the code's own remote is the default, also where its url is relative; git sees one ref more
cd "$scratch/builder" || exit 99
git init -q --bare -b main ../code.git
git remote add origin ../code.git
git add aicert.yaml && git commit -q -m code && git push -q origin main
for name in $(aicert remote list | cut -f1); do ok aicert remote remove "$name"; done
ok aicert remote list
out_has "(the git repository's)"
mkdir -p sub && cd sub
ok aicert push
out_has '[new]'
cd ..
ok aicert status
out_has 'up to date with origin/main'
same "$(git ls-remote origin | cut -f2 | tr '\n' ' ')" 'HEAD refs/aicert/store refs/heads/main '
git clone -q ../code.git ../plain
same "$(git -C ../plain for-each-ref | grep -c aicert)" 0
cd ../plain
ok aicert init -q
ok aicert fetch
ok aicert pull
same "$(aicert rev-parse HEAD)" "$(cd ../builder && aicert rev-parse HEAD)"
cd .. && ok aicert clone -q code.git relative
# of each push one pack; nobody rewrites what is there
same "$(git -C code.git rev-list --count refs/aicert/store)" 1

# a repository on this machine runs nothing: no hook, and no command of its configuration
git init -q --bare evil.git && git init -q --bare other.git
printf '#!/bin/sh\ntouch "%s/ran"\n' "$scratch" | tee evil.git/hooks/pre-receive evil.git/hooks/update \
	evil.git/hooks/post-receive evil.git/hooks/reference-transaction evil.git/hooks/proc-receive >run
chmod +x run evil.git/hooks/*
echo "$scratch/other.git/objects" >evil.git/objects/info/alternates
git -C evil.git config core.alternateRefsCommand "$scratch/run"
git -C evil.git config core.fsmonitor "$scratch/run"
ok in_dir builder aicert push "git+$scratch/evil.git"
ok in_dir builder aicert push "git+file://$scratch/evil.git" main:again
ok aicert clone -q "git+file://$scratch/evil.git" from-evil
checks=$((checks + 1))
[ ! -e ran ] || die "something of the repository was run"

# why a git remote cannot be reached
cat >denied <<'END'
#!/bin/sh
echo "git@host: Permission denied (publickey)." >&2
exit 255
END
chmod +x denied
cd builder
GIT_SSH=$scratch/denied fails 3 aicert push ssh://git@host/x
err_has "Permission denied (publickey)"
fails 3 aicert fetch "git+$scratch/nosuch.git"
err_has "nosuch.git' does not appear to be a git repository"

done_testing
