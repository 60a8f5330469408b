# The newcomer's two commands are `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
NEXT ?= python3.13
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR):$(CURDIR)/collections
export MYPYPATH := collections
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
# Every fork of ansible would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup lock
help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready ## The locked virtual environment in this folder

$(VENV)/.ready: requirements.lock
	@"$(PYTHON)" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0])'
	"$(PYTHON)" -m venv --clear "$(VENV)"
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)"
	"$(BIN)/uv" pip sync --quiet --require-hashes --python "$(BIN)/python" requirements.lock
	@"$(BIN)/python" -m compileall -q -j 2 -x 'ansible_collections|/tests?/' "$(VENV)/lib"
	@touch "$@"

lock: ## Bring requirements.lock up to date with pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --group dev --output-file requirements.lock pyproject.toml

.PHONY: demo test ci lint types units simulator playbooks nights molecule sanity soak bench bench-quick selfcheck wine next-quick next-tests test-next clean
demo: $(VENV)/.ready ## Watch two waves of eight invented sites move (≤ 2 min); VERBOSE=1 shows all output, ENGINE=powershell
	@python -m simulator.demo $(if $(VERBOSE),--verbose) $(if $(ENGINE),--engine "$(ENGINE)")

test: lint types units playbooks ## All that a newcomer needs to see pass

ci: nights molecule sanity next-quick bench-quick ## What is too slow for a newcomer

COLLECTION := collections/ansible_collections/helsevest/interactor
DOMAIN := ansible_collections.helsevest.interactor.plugins.module_utils._domain

lint: $(VENV)/.ready ## ruff, yamllint, ansible-lint (production profile, offline)
	ruff check .
	ruff format --check .
	yamllint --strict .
	ansible-lint --offline

types: $(VENV)/.ready ## mypy --strict on the domain and the simulator
	mypy -p $(DOMAIN) -p simulator

units: $(VENV)/.ready ## Domain, plugins, modules, PowerShell and simulator
	pytest -n auto --dist worksteal -m "not playbook and not night"

playbooks: $(VENV)/.ready ## Real ansible-playbook processes against the simulator
	pytest -n 2 --dist loadfile -m "playbook and not wine"

nights: $(VENV)/.ready ## The same for whole nights in which something breaks, and engine hosts that are much like others
	pytest -n 2 --dist loadfile -m night

molecule: $(VENV)/.ready ## Molecule scenarios against the simulator, without a container engine
	molecule test --all

# The other sanity tests fetch a pip of their own from the web before they start.
SANITY := action-plugin-docs compile empty-init ignores line-endings no-assert no-get-exception no-illegal-filenames \
  no-smart-quotes replace-urlopen shebang symlinks use-argspec-type-path use-compat-six
sanity: $(VENV)/.ready ## ansible-test sanity on the collection: the tests that need no download
	cd $(COLLECTION) && ansible-test sanity --color no --python "$$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
	  $(addprefix --test ,$(SANITY))

SEED ?= 1
COUNT ?= 40
soak: $(VENV)/.ready ## Kill and resume with real processes: 40 cases by a seed (SEED=… COUNT=…), for docs/verification.md
	@python -m tests.soak --seed "$(SEED)" --count "$(COUNT)"

wine: $(VENV)/.ready ## A whole wave on Wine machines (docs/wine.md; ≤ 15 min); skipped with the reason where Wine is missing
	pytest -p no:xdist -m wine -rs -o log_cli=true -o log_cli_level=INFO tests/wine

bench: $(VENV)/.ready ## What 1,600 offices cost to read and list, for the table in docs/verification.md
	@python -m tests.bench

bench-quick: $(VENV)/.ready ## What a preflight costs, as ratios with bounds (tests/bench_quick.yml); alone on the machine, ≤ 90 s
	@python -m tests.bench_quick

INVENTORY ?= inventories/production/sites.register.yml
SIGNED ?=
selfcheck: $(VENV)/.ready ## The self-check for PCs without WinRM, a folder per site (INVENTORY=… SIGNED=…); docs/selfcheck.md
	ansible-playbook -i "$(INVENTORY)" playbooks/selfcheck.yml $(if $(SIGNED),-e "selfcheck_signed='$(SIGNED)'")

NEXT_TESTS := $(addprefix $(COLLECTION)/tests/unit/plugins/,action callback inventory) \
  tests/engine/test_engine.py tests/simulator/test_wire_manifest.py $(addprefix tests/playbooks/,test_engine.py test_rows.py)
next-quick: $(VENV)/.ready ## What leans on ansible-core most, on the newest supported one, where there is a Python for it
	@next=$$(python -m tests.next_python); if [ -n "$$next" ]; then $(MAKE) VENV=.venv-next PYTHON="$$next" next-tests; \
	  else echo "skipped: there is no other Python, 3.12 or later, for ansible-core 2.21"; fi

next-tests: $(VENV)/.ready
	@ansible --version | sed -n '1s/.*core \(2\.21\.[0-9]*\)\].*/ansible-core \1/p' | grep . || { echo "this is not ansible-core 2.21"; exit 1; }
	pytest -n 2 --dist loadfile $(NEXT_TESTS)

test-next: ## The same on the newest supported core (2.21 needs Python ≥ 3.12): make test-next NEXT=python3.13
	$(MAKE) VENV=.venv-next PYTHON="$(NEXT)" units playbooks nights molecule

clean: ## Remove what was made here, the virtual environment included
	rm -rf .venv .venv-next var .ansible .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
