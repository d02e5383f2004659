"""What a running server looks after: files that are gone or damaged are found, and brought again by who has them."""
