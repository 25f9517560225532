import CCurl

// A handle that is made and freed: the library is linked.
let handle = curl_easy_init()
precondition(handle != nil)
curl_easy_cleanup(handle)
print("ok")
