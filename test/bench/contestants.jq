# contestants: what turns.c measured, as entries of bench.json and rows of the table.

# Figures of one contestant in one variant, or of the faster of several; ns a run.
def runs($turns; $name; $shape; $variants):
	[$turns.cases[] | select(.name == $name and .shape == $shape and .ns and
		(.variant | IN($variants[]))) ] | min_by(.ns);

def micro: if . then (. * 10 | round / 10000) else null end;

def figures($turns; $name; $variants; f):
	{ lstm_step_ns: { "32": (runs($turns; $name; "lstm-32"; $variants) | f),
			  "64": (runs($turns; $name; "lstm-64"; $variants) | f),
			  "128": (runs($turns; $name; "lstm-128"; $variants) | f) },
	  autoencoder_window_us: (runs($turns; $name; "window"; $variants) | f),
	  mlperf_tiny_ad_us: (runs($turns; $name; "dense"; $variants) | f) };

def times($turns; $name; $variants):
	figures($turns; $name; $variants; .ns) | .autoencoder_window_us |= micro |
		.mlperf_tiny_ad_us |= micro;

def ratios($turns; $name; $variants):
	figures($turns; $name; $variants; if .ratio then (.ratio * 100 | round / 100) else null end) |
		{ lstm_step: .lstm_step_ns, autoencoder_window: .autoencoder_window_us,
		  mlperf_tiny_ad: .mlperf_tiny_ad_us };

# The faster of f32 and int8 first, then both; ratios are to our int8.
def peer($turns; $name):
	($turns.contestants[] | select(.name == $name)) |
	if .why != "" then { why } else
		times($turns; $name; ["f32", "int8"]) +
		{ f32: times($turns; $name; ["f32"]), int8: times($turns; $name; ["int8"]),
		  ratio: ratios($turns; $name; ["f32", "int8"]), version,
		  rss_mb: (.rss_kb * 1024 / 1e5 | round / 10),
		  disk_mb: (.bytes / 1e5 | round / 10) }
	end;

def cell: if . == null then "-" elif . < 10 then . * 100 | round / 100
	elif . < 100 then . * 10 | round / 10 else round end | tostring;

def row($label; $v; $weight):
	"| \($label) | \([ $v.lstm_step_ns["32", "64", "128"], $v.autoencoder_window_us,
		$v.mlperf_tiny_ad_us ] | map(cell) | join(" | ")) | \($weight) |";

def weight: "\(.rss_kb * 1024 / 1e6 | cell) | \(.bytes / 1e6 | cell)";

def contestant_rows($turns; $name; $label):
	($turns.contestants[] | select(.name == $name)) |
	if .why != "" then "| \($label): not measured, \(.why) | - | - | - | - | - | - | - |"
	else
		row("\($label) \(.version), f32"; times($turns; $name; ["f32"]); " | "),
		row("\($label) \(.version), int8"; times($turns; $name; ["int8"]); weight)
	end;

def ratio_row($turns; $name; $label):
	ratios($turns; $name; ["f32", "int8"]) |
	"| \($label) | \([ .lstm_step["32", "64", "128"], .autoencoder_window, .mlperf_tiny_ad ] |
		map(cell) | join(" | ")) |";
