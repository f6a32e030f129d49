--- The completion scripts: each asks `clanker __complete -- WORDS…` and shows
--- what it says, a candidate and its description per line. Pure text.

local M = {}

M.SCRIPTS = {
  bash = [==[
# bash completion for clanker: source <(clanker completion bash)
_clanker() {
  local words=() count=0 i word current prefix line
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    # bash cuts words at = and :, so they are put together again
    if ((count > 0)) && [[ $word == [=:] || ${COMP_WORDS[i - 1]} == [=:] ]]; then
      words[count - 1]+=$word
    else
      words[count++]=$word
    fi
  done
  current=${words[count - 1]-}
  prefix=${current%"${current##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      while IFS= read -r line; do
        COMPREPLY+=("$line")
      done < <(compgen -f -- "${current#"$prefix"}")
      compopt -o filenames 2>/dev/null
    else
      line=${line%%$'\t'*}
      COMPREPLY+=("${line#"$prefix"}")
    fi
  done < <("${1/#\~/$HOME}" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _clanker clanker
]==],
  zsh = [==[
#compdef clanker
# zsh completion for clanker: put this into a directory of $fpath as _clanker
_clanker() {
  local -a candidates
  local line found=1
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compset -P '--*='
      _files && found=0
    elif [[ $line == *$'\t'* ]]; then
      candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    else
      candidates+=("${line//:/\\:}")
    fi
  done < <("${words[1]/#\~/$HOME}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  ((${#candidates})) && _describe clanker candidates && found=0
  return found
}
if [[ ${funcstack[1]} == _clanker ]]; then
  _clanker "$@"
else
  compdef _clanker clanker
fi
]==],
  fish = [==[
# fish completion for clanker: ~/.config/fish/completions/clanker.fish
function __clanker_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in ($before[1] __complete -- $before[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            set -l prefix (string match -r -- '^--[^=]*=' "$current")
            for path in (__fish_complete_path (string replace -- "$prefix" "" "$current"))
                echo $prefix$path
            end
        else
            echo $line
        end
    end
end
complete -c clanker -f -a '(__clanker_complete)'
]==],
}

--- `clanker completion SHELL`
---@param call cli.Call
---@return true?
---@return err.Record?
function M.run(call)
  return call.out:data(M.SCRIPTS[call.args.shell])
end

return M
