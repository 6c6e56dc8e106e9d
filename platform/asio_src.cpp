// The compiled half of Asio: with BOOST_ASIO_SEPARATE_COMPILATION every other file sees declarations only.
#ifdef BOOST_ASIO_SEPARATE_COMPILATION
#include <boost/asio/impl/src.hpp>
#endif
