// Command hello is what the demo's Dockerfile would build.
package main

import "fmt"

func main() {
	fmt.Println("Hello from an image that is the same tomorrow.")
}
